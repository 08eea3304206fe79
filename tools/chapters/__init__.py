"""What makes the chapters: their form, their exports, their outputs, and the tests of all three."""
