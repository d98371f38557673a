"""What stands before every route: who may be asked for what, how much may come, and what goes with every answer."""
