"""Texts that a broker may overwrite at run time; they are read at each request."""

#: The description of the answer to an exception that the broker did not expect.
DEFAULT_EXCEPTION_ERROR_MESSAGE = "Some error occurred, please contact your support or administrator."
#: The description of the answer to ``NotImplementedError``.
DEFAULT_NOT_IMPLEMENTED_ERROR_MESSAGE = "This action is not supported, you may contact your support or administrator."
