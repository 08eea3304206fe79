"""What makes the book: its environment, its notebooks, its checks, its site."""
