// A stream of ADC samples in, a short code for each pulse out: front end, encoder.
//
// One sample a clock. `valid` is high for one clock, LATENCY edges after the one that took the last sample of a window;
// the code words belong to it and stay until the next. The encoder takes a window each clock, so that the front end's
// dead time (from the trigger to the last sample of its window) is all there is.
//
// The values of the parameters are this project's; $module (by alkaid) is made for them.
`timescale 1ns / 1ps

module discrimen_encoder_top #(
    parameter ADC_BITS = $adc_bits,
    parameter NEGATIVE = $negative,
    parameter MEAN_LOG2 = $n_mean_log2,
    parameter GAP = $gap,
    parameter THRESHOLD = $threshold_adc,
    parameter FRACTION_16 = $fraction_16,
    parameter PEAK_SAMPLES = $peak_samples,
    parameter BEFORE = $before,
    parameter LENGTH = $length,
    parameter WORDS = $n_words,
    parameter WORD_BITS = $word_bits,  // two's complement, $word_fraction of them behind the binary point
    parameter NETWORK_LATENCY = $network_latency  // clocks from its input to its output
) (
    input  wire                       clk,
    input  wire                       rst,           // synchronous, active high, for $reset_clocks clocks or more
    input  wire [ADC_BITS-1:0]        sample,        // as digitised, unsigned
    input  wire                       sample_valid,  // high with each new sample; tie high for one a clock
    output reg                        valid,
    output reg  [WORDS*WORD_BITS-1:0] code           // the first word in the lowest bits
);
  localparam LATENCY = NETWORK_LATENCY + 2;

  wire [LENGTH*(ADC_BITS+1)-1:0] window;
  wire window_valid;
  front_end #(
      .ADC_BITS(ADC_BITS),
      .NEGATIVE(NEGATIVE),
      .MEAN_LOG2(MEAN_LOG2),
      .GAP(GAP),
      .THRESHOLD(THRESHOLD),
      .FRACTION_16(FRACTION_16),
      .PEAK_SAMPLES(PEAK_SAMPLES),
      .BEFORE(BEFORE),
      .LENGTH(LENGTH)
  ) front_end_i (
      .clk(clk),
      .rst(rst),
      .sample(sample),
      .sample_valid(sample_valid),
      .window(window),
      .window_valid(window_valid)
  );

  wire [WORDS*WORD_BITS-1:0] words;
  $module encoder_i (
      .clk(clk),
      .model_inp(window),
      .model_out(words)
  );

  // A window's mark travels beside it through the encoder.
  reg [NETWORK_LATENCY-1:0] mark = 0;
  initial valid = 0;
  always @(posedge clk) begin
    mark  <= rst ? 0 : (mark << 1) | window_valid;
    valid <= mark[NETWORK_LATENCY-1] && !rst;
    if (mark[NETWORK_LATENCY-1]) code <= words;
  end
endmodule
