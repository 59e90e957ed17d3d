"""Who works when: callers take turns, dear work has few places, and nobody waits without a bound.

`caller` says who asks, `costs` what a request costs; `lane`, `fair_queue` and `turn` who works now; `admission` has all
lanes and bounds; `receiving` is where calls come in, `arrivals` how many messages at a time, `threads` what runs them;
`watchdog` ends streams that stand still; `counts` is what a person may look at.
"""
