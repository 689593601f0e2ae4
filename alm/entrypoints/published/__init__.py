"""What is made from the code for people and editors to read: schemas and the reference."""
