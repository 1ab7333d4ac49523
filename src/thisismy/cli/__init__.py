"""The command line. Commands parse, call one service, and show what it gave; heavy imports stay inside."""
