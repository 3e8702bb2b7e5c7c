"""The command line: one tool over all packages; commands are found by entry points."""
