"""One simulated account, put together: its store and the parts that act on it."""

from simulator import events
from simulator.answers import Answers
from simulator.arrivals import Arrivals
from simulator.assets import Template
from simulator.clock import Clock
from simulator.config import SimulatorConfig
from simulator.consent import Consent
from simulator.events import Events
from simulator.faults import Faults
from simulator.groups import Groups
from simulator.intake import Intake
from simulator.people import People
from simulator.pools import Pools
from simulator.prehooks import Prehooks
from simulator.records import Hook, Number, Setting
from simulator.sids import Sids
from simulator.signer import Signer
from simulator.store import Store
from simulator.switches import Switches
from simulator.talks import Talks
from simulator.texting import Texting
from simulator.throughput import Throughput
from simulator.transcript import Transcript
from simulator.uploads import Uploads
from simulator.views import Urls
from simulator.webhooks import Webhooks


class World:
    """Made inside a running event loop; `aclose` ends what runs in the background."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.clock = Clock()
        self.urls = Urls(config)
        self.store = Store(config)
        if (kept := self.store.settings.get("clock")) is not None:
            self.clock.restore(kept.value["offset"], kept.value["still"])
        # A restart goes on with other sids than it began with, or it would give some out twice.
        self.sids = Sids(None if config.seed is None else f"{config.seed} {self.store.size}")
        self.transcript = Transcript(clock=self.clock, limit=config.max_records)
        self.faults = Faults(self.store.faults, self.sids, seed=config.seed)
        self.signer = Signer(config, self.store)
        self.webhooks = Webhooks(
            config=config,
            clock=self.clock,
            store=self.store,
            transcript=self.transcript,
            faults=self.faults,
            signer=self.signer,
        )
        self.switches = Switches.of(config, self.store)
        self.pools = Pools(config=config, clock=self.clock, store=self.store)
        self.people = People(clock=self.clock, sids=self.sids, store=self.store)
        self.groups = Groups(clock=self.clock, store=self.store, setup=config.group_setup)
        self.consent = Consent(self.store, self.pools, self.switches)
        self.throughput = Throughput(clock=self.clock, store=self.store, rates=config.throughput)
        self.uploads = Uploads(config=config, clock=self.clock, sids=self.sids, store=self.store)
        self.texting = Texting(
            config=config,
            clock=self.clock,
            sids=self.sids,
            store=self.store,
            transcript=self.transcript,
            webhooks=self.webhooks,
            faults=self.faults,
            consent=self.consent,
            pools=self.pools,
            switches=self.switches,
            throughput=self.throughput,
        )
        self.arrivals = Arrivals(
            config=config,
            clock=self.clock,
            sids=self.sids,
            store=self.store,
            transcript=self.transcript,
            webhooks=self.webhooks,
            consent=self.consent,
            pools=self.pools,
            switches=self.switches,
            texting=self.texting,
            urls=self.urls,
        )
        self.answers = Answers(
            config=config,
            clock=self.clock,
            sids=self.sids,
            store=self.store,
            transcript=self.transcript,
            webhooks=self.webhooks,
            texting=self.texting,
        )
        self.emitter = Events(config=config, store=self.store, webhooks=self.webhooks, switches=self.switches)
        self.prehooks = Prehooks(
            config=config, emitter=self.emitter, transcript=self.transcript, webhooks=self.webhooks
        )
        self.talks = Talks(
            config=config,
            clock=self.clock,
            sids=self.sids,
            store=self.store,
            transcript=self.transcript,
            emitter=self.emitter,
            texting=self.texting,
            people=self.people,
            groups=self.groups,
        )
        self.intake = Intake(
            clock=self.clock,
            sids=self.sids,
            store=self.store,
            emitter=self.emitter,
            prehooks=self.prehooks,
            groups=self.groups,
            talks=self.talks,
        )
        self.arrivals.capture = self.intake.text
        self.texting.moved = self.talks.moved
        self._furnish()
        self.webhooks.answered = self.answers.take
        self.webhooks.resume()
        self.texting.resume()
        self.talks.resume()
        self.groups.resume()

    def reset(self) -> None:
        """Back to a new account; what is under way is dropped."""
        self.texting.stop()
        self.talks.stop()
        self.webhooks.cancel()
        self.clock.reset()
        self.faults.clear()
        self.uploads.clear()
        self.answers.clear()
        self.store.clear()
        self.switches.restore(self.config)
        self.transcript.clear()
        self._furnish()
        self.transcript.add("reset")

    def keep_clock(self) -> None:
        """Remembers how the clock is set, for after a restart."""
        still = self.clock.now() if self.clock.paused else None
        self.store.settings.add(Setting(sid="clock", value={"offset": self.clock.offset, "still": still}))

    def reviewed(self, template: Template) -> str:
        """Where WhatsApp's review of a template stands by now."""
        if template.status == "received" and self.clock.now() >= template.updated + self.config.template_review:
            self.store.templates.change(template, status="approved")
        return template.status

    async def aclose(self) -> None:
        self.texting.stop()
        await self.webhooks.aclose()
        self.store.close()

    def _furnish(self) -> None:
        """Our addresses and the account-wide hook. What was changed before a restart stays; URLs follow the config
        as long as nobody changed them, so that a product on another port is found again."""
        now, config, store = self.clock.now(), self.config, self.store
        self.pools.furnish()
        if store.services.get(service := self.talks.defaults.first_chat_service) is None:
            self.people.open_service("Default Conversations Service", service)
        inbound = config.webhook_base + config.messages_path
        own = (config.phone_number, f"whatsapp:{config.whatsapp_number}", config.rcs_sender, config.messenger_page)
        for value in own:
            number = self.texting.number(value)
            if number is None:
                sid = self.sids.new("PN")
                number = Number(sid=sid, address=value, sms_url=inbound, friendly_name=value, created=now, updated=now)
                store.numbers.add(number)
            elif number.updated == number.created:
                store.numbers.change(number, sms_url=inbound)
        hook = next(iter(store.hooks_of.of(events.GLOBAL).values()), None)
        url = config.webhook_base + config.conversations_path
        if hook is None:
            filters = list(events.POST_EVENTS)
            hook = Hook(
                sid=self.sids.new("WH"), owner=events.GLOBAL, url=url, filters=filters, created=now, updated=now
            )
            store.hooks.add(hook)
        elif hook.updated == hook.created:
            store.hooks.change(hook, url=url)
