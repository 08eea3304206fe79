"""The book's arithmetic: output sizes, parameters, multiply–adds and receptive fields.

Networks are followed on torch's meta device, where tensors have shapes but no numbers: nothing is
computed, and a network of any size takes a fraction of a second.
"""

from cnnbook.arithmetic.counting import count_parameters, multiply_adds
from cnnbook.arithmetic.receptive import ReceptiveField, receptive_field, receptive_fields
from cnnbook.arithmetic.sizes import output_size, transposed_output_size
from cnnbook.arithmetic.summary import Summary, SummaryRow, layer_names, summary

__all__ = [
    "ReceptiveField",
    "Summary",
    "SummaryRow",
    "count_parameters",
    "layer_names",
    "multiply_adds",
    "output_size",
    "receptive_field",
    "receptive_fields",
    "summary",
    "transposed_output_size",
]
