"""What a person, a spreadsheet or a program reads: JSON, CSV, overlay, mask, HTML page."""
