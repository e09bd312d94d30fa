"""One grammar each: a Source in, a document with spans out; recovers from errors and knows no daemon."""
