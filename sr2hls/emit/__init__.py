"""`Design` → the text of files, one printer a file; printers make no decisions."""
