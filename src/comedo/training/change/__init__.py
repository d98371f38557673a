"""Change between photos, measured for the run time: noise fitted, verdicts and ledgers judged."""
