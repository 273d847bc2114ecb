"""What is known of things in general: a bank of concepts as data, and what it says of the things of a scene."""
