"""What people can do with the service: plain functions, called by the API and by the pages alike."""
