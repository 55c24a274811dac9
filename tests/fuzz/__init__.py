"""Readers of files fed with damaged input; scripts to run by hand."""
