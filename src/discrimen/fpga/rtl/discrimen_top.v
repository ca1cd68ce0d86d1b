// A stream of ADC samples in, a decision for each pulse out: front end, network, comparison.
//
// $samples with each clock. `valid` is high for one clock, $latency edges after the one that took the last sample of a
// window; is_neutron and the logits belong to it and stay until the next. The network takes a window each clock, so that the
// front end's dead time (from the trigger to the last sample of its window) is all there is.
//
// The values of the parameters are this project's; $module (by alkaid) is made for them.
`timescale 1ns / 1ps

module discrimen_top #(
    parameter SAMPLES = $samples,  // with each clock
    parameter ADC_BITS = $adc_bits,
    parameter NEGATIVE = $negative,
    parameter MEAN_LOG2 = $n_mean_log2,
    parameter GAP = $gap,
    parameter THRESHOLD = $threshold_adc,
    parameter FRACTION_16 = $fraction_16,
    parameter PEAK_SAMPLES = $peak_samples,
    parameter BEFORE = $before,
    parameter LENGTH = $length,
    parameter LOGIT_BITS = $logit_bits,  // two's complement, $logit_fraction of them behind the binary point
    parameter NETWORK_LATENCY = $network_latency,  // clocks from its input to its output
    parameter signed [LOGIT_BITS:0] MARGIN = $margin  // neutron: logit_neutron - logit_gamma >= MARGIN, in steps of the logits
) (
    input  wire                         clk,
    input  wire                         rst,           // synchronous, active high, for $reset_clocks clocks or more
    input  wire [SAMPLES*ADC_BITS-1:0]  sample,        // as digitised, unsigned; the earliest in the lowest bits
    input  wire                         sample_valid,  // high with what is new; tie high if that is each clock
    output reg                          valid,
    output reg                          is_neutron,
    output reg  signed [LOGIT_BITS-1:0] logit_gamma,
    output reg  signed [LOGIT_BITS-1:0] logit_neutron
);
  wire [LENGTH*(ADC_BITS+1)-1:0] window;
  wire window_valid;
  $front_end
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

  wire [2*LOGIT_BITS-1:0] logits;
  $module network_i (
      .clk(clk),
      .model_inp(window),
      .model_out(logits)
  );
  wire signed [LOGIT_BITS-1:0] gamma = logits[$gamma_place*LOGIT_BITS+:LOGIT_BITS];
  wire signed [LOGIT_BITS-1:0] neutron = logits[$neutron_place*LOGIT_BITS+:LOGIT_BITS];
  wire signed [LOGIT_BITS:0] difference = neutron - gamma;

  // A window's mark travels beside it through the network.
  reg [NETWORK_LATENCY-1:0] mark = 0;
  initial valid = 0;
  always @(posedge clk) begin
    mark  <= rst ? 0 : (mark << 1) | window_valid;
    valid <= mark[NETWORK_LATENCY-1] && !rst;
    if (mark[NETWORK_LATENCY-1]) begin
      is_neutron <= difference >= MARGIN;
      logit_gamma <= gamma;
      logit_neutron <= neutron;
    end
  end
endmodule
