"""The pages of the studio, a file each; ``studio/main.py`` lists them."""
