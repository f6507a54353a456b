"""Excel sheets for people who do not write YAML: out, filled in, and in again without loss.

    translations   a row a text: what a translator needs, and where they write
    calendar       a row a message, a column a language: the whole plan on one sheet

    files -> Book -> .xlsx -> whoever fills it in -> .xlsx -> Got -> Import -> files

What people see is a `Book`; a hidden sheet in it remembers what each cell held, so that a cell
nobody touched changes nothing, whatever has become of its file meanwhile. An `Import` is what the
files would be; it is looked at, and written by whoever has looked.
"""
