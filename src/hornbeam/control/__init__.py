"""Python that becomes programs: functions that are traced, branches, loops, and the calls back into Python."""
