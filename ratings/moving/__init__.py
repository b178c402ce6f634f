"""Moving a finished study here: reading score files made elsewhere, honestly."""
