// Streaming front end: polarity, baseline, trigger and window of one ADC sample a clock.
//
// Gives, bit for bit, the windows that front_end.py describes. Below, "sample t" is the t-th one after reset, and
// "after edge t" is the clock cycle that follows the rising edge at which sample t was taken (with sample_valid high).
//
// Reset: hold `rst` for RESET_CLOCKS or more clocks with sample_valid high. The sample of its first clock is kept and
// fills every delay line and the accumulator, as if the stream had always been equal to it.
`timescale 1ns / 1ps

module front_end #(
    parameter ADC_BITS = 14,       // width of a sample, unsigned
    parameter NEGATIVE = 1,        // 1: pulses fall; s = 2**ADC_BITS - 1 - x
    parameter MEAN_LOG2 = 3,       // the baseline is the mean of 2**MEAN_LOG2 samples
    parameter GAP = 16,            // samples between the mean's last and the one that arms
    parameter THRESHOLD = 40,      // counts above the baseline
    parameter FRACTION_16 = 5,     // of the peak, in sixteenths
    parameter PEAK_SAMPLES = 8,    // the peak is sought in so many samples
    parameter BEFORE = 15,         // samples of the window before the trigger
    parameter LENGTH = 75          // samples of the window; at least 2 * BEFORE + PEAK_SAMPLES + 9
) (
    input  wire                            clk,
    input  wire                            rst,           // synchronous, active high
    input  wire [ADC_BITS-1:0]             sample,
    input  wire                            sample_valid,  // clock enable: tie high for one sample a clock
    output wire [LENGTH*(ADC_BITS+1)-1:0]  window,        // signed counts; the earliest sample in the lowest bits
    output wire                            window_valid   // high for one clock, two edges after the last sample's
);
  localparam VALUE_BITS = ADC_BITS + 1;
  localparam MEAN = 1 << MEAN_LOG2;
  localparam SUM_BITS = ADC_BITS + MEAN_LOG2;
  // The first LATE samples of the window came before their baseline was known: they are corrected LATE clocks later.
  localparam LATE = BEFORE + 4;
  localparam RAW = (LATE > MEAN) ? LATE : MEAN;
  // Where the samples of the leading edge pass once the peak is known.
  localparam SEARCH_AT = LATE + PEAK_SAMPLES + 1;
  // From the trigger sample found to the window complete.
  localparam REMAINING = LENGTH - BEFORE - SEARCH_AT - 2;
  localparam SETTLING = GAP + MEAN + BEFORE;

  // ---- Polarity, and the sample that stands for the stream before its beginning -----------------------------------
  reg [ADC_BITS-1:0] s = 0;
  reg in_reset = 0;
  wire [ADC_BITS-1:0] upright = (NEGATIVE != 0) ? ~sample : sample;
  always @(posedge clk)
    if (sample_valid) begin
      in_reset <= rst;
      if (!(rst && in_reset)) s <= upright;
    end

  // After edge t, s is sample t and place i of raw is sample t - i - 1.
  reg [RAW*ADC_BITS-1:0] raw;
  always @(posedge clk) if (sample_valid) raw <= {raw[(RAW-1)*ADC_BITS-1:0], s};

  // ---- Baseline: the mean of MEAN samples, GAP samples ago --------------------------------------------------------
  reg signed [ADC_BITS:0] step = 0;
  reg [SUM_BITS-1:0] sum = 0;
  always @(posedge clk)
    if (sample_valid) begin
      step <= $signed({1'b0, s}) - $signed({1'b0, raw[(MEAN-1)*ADC_BITS+:ADC_BITS]});
      if (rst) sum <= s << MEAN_LOG2;
      else sum <= $signed({1'b0, sum}) + step;
    end

  // After edge t, mean ends with sample t - 2; place i of means is as it was i + 1 clocks ago.
  wire [ADC_BITS-1:0] mean = sum[SUM_BITS-1:MEAN_LOG2];
  reg [(GAP+1)*ADC_BITS-1:0] means;
  always @(posedge clk) if (sample_valid) means <= {means[GAP*ADC_BITS-1:0], mean};

  // ---- Trigger: the first crossing of the threshold while free ----------------------------------------------------
  reg [ADC_BITS:0] level = 0;
  reg above = 0, above_before = 0;
  wire [ADC_BITS-1:0] mean_ago = (GAP > 1) ? means[((GAP > 1) ? GAP - 2 : 0)*ADC_BITS+:ADC_BITS] : mean;
  localparam [ADC_BITS:0] THRESHOLD_ADC = THRESHOLD;
  always @(posedge clk)
    if (sample_valid) begin
      level <= {1'b0, mean_ago} + THRESHOLD_ADC;
      above <= {1'b0, raw[ADC_BITS+:ADC_BITS]} >= level;
      above_before <= above;
    end
  wire crossing = above && !above_before;  // after edge t, of sample t - 3

  // ---- Sequence: settle, wait for a crossing, find the peak, find the fraction of it, wait for the last sample -----
  localparam [2:0] SETTLE = 0, FREE = 1, WAIT_PEAK = 2, PEAK = 3, WAIT_FRACTION = 4, SEARCH = 5, WAIT_LAST = 6, DEAD = 7;
  localparam LONGEST = (LENGTH > SETTLING + 4) ? LENGTH : SETTLING + 4;
  localparam COUNT_BITS = $clog2(LONGEST + 1);
  reg [2:0] state = SETTLE;
  reg [COUNT_BITS-1:0] count = SETTLING + 3;
  wire last = count == 0;
  wire reached;
  reg complete = 0, fresh = 0;
  reg [ADC_BITS-1:0] baseline = 0;

  always @(posedge clk) fresh <= sample_valid;
  always @(posedge clk)
    if (sample_valid) begin
      complete <= !rst && state == WAIT_LAST && last;
      count <= count - 1'b1;
      case (state)
        FREE:
        if (crossing) begin
          state <= WAIT_PEAK;
          count <= LATE - 4;
          baseline <= means[GAP*ADC_BITS+:ADC_BITS];
        end
        WAIT_PEAK:
        if (last) begin
          state <= PEAK;
          count <= PEAK_SAMPLES - 1;
        end
        PEAK:
        if (last) begin
          state <= WAIT_FRACTION;
          count <= 1;
        end
        WAIT_FRACTION: if (last) state <= SEARCH;
        SEARCH:
        if (reached) begin
          state <= WAIT_LAST;
          count <= REMAINING - 2;
        end
        WAIT_LAST:
        if (last) begin
          state <= DEAD;
          count <= 2;
        end
        default: if (last) state <= FREE;  // SETTLE, DEAD
      endcase
      if (rst) begin
        state <= SETTLE;
        count <= SETTLING + 3;
      end
    end
  assign window_valid = complete && fresh;

  // ---- Window: a shift register, the newest sample in the highest place -------------------------------------------
  // In the first LATE places the baseline is subtracted as samples come in; beyond them it is subtracted from the
  // sample as it was LATE clocks ago, when the baseline was not known yet. So a window is whole with the clock of its
  // last sample, and costs two subtractions instead of one for each place.
  reg [LENGTH*VALUE_BITS-1:0] places;
  wire [VALUE_BITS-1:0] now = {1'b0, s} - {1'b0, baseline};
  wire [VALUE_BITS-1:0] then = {1'b0, raw[(LATE-1)*ADC_BITS+:ADC_BITS]} - {1'b0, baseline};
  always @(posedge clk)
    if (sample_valid) begin
      places <= {now, places[LENGTH*VALUE_BITS-1:VALUE_BITS]};
      places[(LENGTH-1-LATE)*VALUE_BITS+:VALUE_BITS] <= then;
    end
  assign window = places;

  // ---- Peak, and the first sample that reaches its fraction -------------------------------------------------------
  localparam PRODUCT_BITS = ADC_BITS + 5;
  localparam [4:0] FRACTION = FRACTION_16;
  reg [ADC_BITS-1:0] peak = 0;
  reg [PRODUCT_BITS-1:0] product = 0;
  reg passed = 0;
  wire [VALUE_BITS-1:0] early = places[(LENGTH-1-LATE)*VALUE_BITS+:VALUE_BITS];
  wire [VALUE_BITS-1:0] passing = places[(LENGTH-1-SEARCH_AT)*VALUE_BITS+:VALUE_BITS];
  assign reached = passed;
  always @(posedge clk)
    if (sample_valid) begin
      if (state == WAIT_PEAK) peak <= 0;
      else if (state == PEAK && !early[ADC_BITS] && early[ADC_BITS-1:0] > peak) peak <= early[ADC_BITS-1:0];
      product <= {5'b0, peak} * FRACTION;
      passed <= !passing[ADC_BITS] && {1'b0, passing[ADC_BITS-1:0], 4'b0} >= product;
    end
endmodule
