"""What pytest needs to know in the whole book, `pytest notebooks` included."""

pytest_plugins = ["tools.chapters.pictures"]
