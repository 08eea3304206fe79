"""Answers to the exercises; a package, so that a chapter's two test files may share a name."""
