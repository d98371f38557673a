"""The routes of the pages: read the request, call an action, show a template."""
