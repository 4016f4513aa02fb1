"""`Design` + files → evidence: simulators, bit-for-bit comparison."""
