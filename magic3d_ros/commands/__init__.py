"""The commands of `magic3d`, one module a group. Heavy libraries are imported inside the commands: help must come at once."""
