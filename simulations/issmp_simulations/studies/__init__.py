"""Studies: many designs, one after the other, on the same candidates; kept definitions, kept results."""
