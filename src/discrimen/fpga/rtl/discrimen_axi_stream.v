// The same top with AXI4-Stream ports.
//
// s_axis: $samples of 16 bits a transfer, the earliest lowest; bits above the ADC's are ignored. tready is always high:
// a sampling clock cannot be held back. While tvalid is low the front end waits; the network does not.
// m_axis: one decision a transfer: {is_neutron at bit 63, logit_neutron in 61..32, logit_gamma in 29..0}, both signed.
// It waits for tready; a decision that comes while another waits is lost, and `lost` stays high until reset.
`timescale 1ns / 1ps

module discrimen_axi_stream #(
    parameter ADC_BITS = $adc_bits,
    parameter LOGIT_BITS = $logit_bits
) (
    input  wire        aclk,
    input  wire        aresetn,        // synchronous, active low, for $reset_clocks transfers of s_axis or more
    input  wire [$axi_bits-1:0] s_axis_tdata,
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    output reg  [63:0] m_axis_tdata,
    output reg         m_axis_tvalid,
    input  wire        m_axis_tready,
    output reg         lost
);
  assign s_axis_tready = 1'b1;

  wire valid, is_neutron;
  wire signed [LOGIT_BITS-1:0] logit_gamma, logit_neutron;
  discrimen_top top_i (
      .clk(aclk),
      .rst(!aresetn),
      .sample({$axi_sample}),
      .sample_valid(s_axis_tvalid),
      .valid(valid),
      .is_neutron(is_neutron),
      .logit_gamma(logit_gamma),
      .logit_neutron(logit_neutron)
  );

  wire signed [29:0] wide_gamma = logit_gamma, wide_neutron = logit_neutron;
  wire waiting = m_axis_tvalid && !m_axis_tready;
  initial {m_axis_tvalid, lost} = 2'b00;
  always @(posedge aclk) begin
    if (!aresetn) begin
      m_axis_tvalid <= 1'b0;
      lost <= 1'b0;
    end else begin
      m_axis_tvalid <= waiting || valid;
      lost <= lost || (waiting && valid);
    end
    if (!waiting) m_axis_tdata <= {is_neutron, 1'b0, wide_neutron, 2'b00, wide_gamma};
  end
endmodule
