"""The subcommands of `tally`, a file each for those who use them together. Everything behind them is imported lazily."""
