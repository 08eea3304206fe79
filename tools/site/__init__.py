"""What makes the site out of stored notebooks and pages; nothing here imports torch."""
