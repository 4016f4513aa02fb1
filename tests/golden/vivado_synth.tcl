# Out-of-context synthesis, placement and routing of the circuit 'golden', written by sr2hls.
# sr2hls-digest: DIGEST
#
#   vivado -mode batch -source vivado_synth.tcl
#
# Writes utilization_{synth,route}.rpt and timing_{synth,route}.rpt beside this file.
# Vivado has not been run on this file by its authors.

cd [file dirname [file normalize [info script]]]
read_verilog {../verilog/golden.v}
read_xdc -mode out_of_context golden_ooc.xdc
synth_design -top golden -part PART -mode out_of_context
report_utilization -file utilization_synth.rpt
report_timing_summary -file timing_synth.rpt
opt_design
place_design
phys_opt_design
route_design
report_utilization -file utilization_route.rpt
report_timing_summary -file timing_route.rpt
write_checkpoint -force golden_routed.dcp
