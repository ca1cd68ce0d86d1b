// out = (in0 + in1 * 2**SHIFT1) or (in0 - in1 * 2**SHIFT1), without its DROP_LSBS lowest bits; SHIFT1 may be negative,
// in0 then stands -SHIFT1 bits higher. The module that alkaid's networks are made of, with its ports and parameters,
// written so that Yosys makes one row of carries of each: what is subtracted from nothing needs no second one.
`timescale 1ns / 1ps

module shift_adder #(
    parameter BW_INPUT0 = 32,
    parameter BW_INPUT1 = 32,
    parameter SIGNED0 = 0,
    parameter SIGNED1 = 0,
    parameter BW_OUT = 32,
    parameter DROP_LSBS = 0,
    parameter SHIFT1 = 0,
    parameter IS_SUB = 0
) (
    input  wire [BW_INPUT0-1:0] in0,
    input  wire [BW_INPUT1-1:0] in1,
    output wire [BW_OUT-1:0]    out
);
  // All modulo 2**BITS: nothing above the highest bit of the output matters.
  localparam BITS = BW_OUT + DROP_LSBS;
  localparam UP0 = (SHIFT1 < 0) ? -SHIFT1 : 0;
  localparam UP1 = (SHIFT1 > 0) ? SHIFT1 : 0;
  // Below bit LOW only one of the two has bits, and they are taken as they are.
  localparam APART = (IS_SUB != 0) ? UP1 : UP0 + UP1;
  localparam LOW = (APART < BITS) ? APART : BITS;

  wire signed [BW_INPUT0:0] first = {(SIGNED0 != 0) && in0[BW_INPUT0-1], in0};
  wire signed [BW_INPUT1:0] second = {(SIGNED1 != 0) && in1[BW_INPUT1-1], in1};
  wire signed [BITS-1:0] wide0 = first;
  wire signed [BITS-1:0] wide1 = second;
  wire [BITS-1:0] x = wide0 << UP0;
  wire [BITS-1:0] y = wide1 << UP1;
  wire [BITS-1:0] sum;
  generate
    if (LOW > 0) begin : apart
      assign sum[LOW-1:0] = x[LOW-1:0] | y[LOW-1:0];
    end
    if (LOW < BITS && IS_SUB != 0) begin : less
      assign sum[BITS-1:LOW] = x[BITS-1:LOW] - y[BITS-1:LOW];
    end else if (LOW < BITS) begin : more
      assign sum[BITS-1:LOW] = x[BITS-1:LOW] + y[BITS-1:LOW];
    end
  endgenerate
  assign out = sum[BITS-1:DROP_LSBS];
endmodule
