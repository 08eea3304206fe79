"""What is written by measuring or by drawing: pages of the site, and its pictures."""
