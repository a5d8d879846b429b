"""Studies: certificates, report cards, lessons, skills. Each is a question with a stated way to answer it."""
