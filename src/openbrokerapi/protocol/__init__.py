"""The protocol of OSB API 2.17, without any input or output.

A request comes in as bytes (:mod:`.request`), is read (:mod:`.reading`) and checked against the catalog
(:mod:`.checking`), and an answer is rendered back into bytes (:mod:`.rendering`). Nothing in here opens a socket, reads
a clock or the environment, or writes a log line.
"""
