"""Many kinds of things, each built anew from a seed: what `room:varied:N` is furnished with."""
