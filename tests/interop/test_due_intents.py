"""`enrollctl intents`: lists intents that settlement has not finished, without personal data."""

from interop.enrollctl import enrollctl
from interop.isolated_client import ALL_CALLS, IsolatedClient
from local_system.rewards import Rewards


def test_list_has_no_personal_data(client: IsolatedClient, rewards: Rewards) -> None:
    customer = client.customer()
    card, event = client.enroll_card(customer)
    rewards.order(card, "updateCustomerAccount", "cut-before", count=ALL_CALLS)
    opt_out = customer.opt_out(card)
    assert opt_out.send().status_code == 202

    ran = enrollctl("intents", "list", "--all")
    assert ran.code == 0, ran.output
    [line] = [line for line in ran.out.splitlines() if f"client {client.id} " in line]
    assert " action C  open " in line
    assert "unknown since " in line
    for secret in (customer.id, event["ranac"]):
        assert secret not in ran.output
    assert client.id not in enrollctl("intents", "list").out, "not for a day yet"

    rewards.forget_orders()
    assert opt_out.event()["status"] == "SUCCESS_REMOVAL"
