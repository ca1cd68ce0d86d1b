// A hardware veto: a trigger is let through only where the network has seen a neutron. An example, to be changed.
//
// The decision on a pulse comes a fixed time after the pulse: the rest of its window, and LATENCY clocks. Each trigger
// waits so long in a row of registers, meets its decision at the end of it, and comes out DELAY clocks after it came in
// or not at all. Tie sample_valid of the top high: with gaps between the samples the time would not be fixed.
`timescale 1ns / 1ps

module discrimen_veto #(
    parameter SAMPLES = $samples,  // with each clock
    parameter BEFORE = $before,    // samples of the window before the trigger sample of the pulse
    parameter LENGTH = $length,    // samples of the window
    parameter LATENCY = $latency,  // clocks from the last sample of the window to the decision
    parameter JITTER = 2           // trigger_in may come so many clocks before or after the trigger sample of the pulse
) (
    input  wire clk,
    input  wire rst,         // that of the top
    input  wire trigger_in,  // high for one clock
    input  wire valid,       // of the top
    input  wire is_neutron,  // of the top
    output reg  trigger_out  // high for one clock, DELAY clocks after trigger_in
);
  localparam REST = LENGTH - BEFORE - 1;  // samples from the trigger sample to the last one
  localparam DELAY = (REST + SAMPLES - 1) / SAMPLES + LATENCY + 1 + JITTER;
  // So long a neutron opens the gate; one clock more if the window does not always end as many clocks after the trigger.
  localparam OPEN = 2 * JITTER + 1 + (REST % SAMPLES != 0);

  reg [DELAY-1:0] waiting = 0;
  reg [7:0] open = 0;
  wire neutron = valid && is_neutron;
  always @(posedge clk) begin
    waiting <= {waiting[DELAY-2:0], trigger_in};
    open <= neutron ? OPEN - 1 : (open != 0) ? open - 1'b1 : 0;
    trigger_out <= waiting[DELAY-1] && (neutron || open != 0);
    if (rst) begin
      open <= 0;
      trigger_out <= 1'b0;
    end
  end
endmodule
