"""Write every generated page: `python -m tools.reference`."""

from tools.reference.pages import write_pages

if __name__ == "__main__":
    for path in write_pages():
        print(path)
