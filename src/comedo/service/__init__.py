"""The service: accounts, photos, analyses and series behind an API; needs the extra `service`."""
