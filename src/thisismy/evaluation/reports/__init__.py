"""From cells to tables, plots and pictures."""
