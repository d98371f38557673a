"""People: accounts, passwords, sessions, tokens, consent."""
