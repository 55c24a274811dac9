"""How models learn: a pure step, and a loop that schedules, reports and calls callbacks."""
