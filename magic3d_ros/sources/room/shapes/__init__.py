"""Procedural things: furniture, household things, a person."""
