"""Result files: VTKHDF writer and reader, OVF, provenance and the folder that holds a run."""
