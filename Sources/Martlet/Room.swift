// Martlet: what users import.
