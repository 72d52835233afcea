"""Signals as Observations: what they were in short, and the samples in SampledData."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from core.exchange.fhir.codes import Number, Own, device_codes, hl7, signal_codes, urn
from core.exchange.fhir.context import Context, Detail, Entries, device, instant
from core.exchange.fhir.datatypes import (
    UCUM,
    Coding,
    Concept,
    Period,
    Quantity,
    Reference,
    SampledData,
    note,
    quantity,
    refer,
)
from core.exchange.fhir.resources import Component, Device, DeviceMetric, DeviceName, Observation
from core.exchange.fhir.runs import Run, Samples, full_data, reduced_data, runs, streams, uneven
from core.model.block import Provenance
from core.model.channel import ChannelSpec
from core.model.progress import Watch, unwatched
from core.record import RecordReader
from core.record.types import RecordedChannel
from core.signals.catalogue import Catalogue, load_catalogue

REDUCED_ABOVE_HZ = 10.0
MOST_VALUES = 1_000
"""Single measurements of one channel and visit; nobody takes so many."""

PROCEDURE = hl7("observation-category", "procedure", "Procedure")
VITAL_SIGNS = hl7("observation-category", "vital-signs", "Vital Signs")
AVERAGE = hl7("observation-statistics", "average", "Average")
MINIMUM = hl7("observation-statistics", "minimum", "Minimum")
MAXIMUM = hl7("observation-statistics", "maximum", "Maximum")
COUNT = hl7("observation-statistics", "count", "Count")


class Signals:
    """The signals of one visit, channel by channel: only one channel's samples are held at a time.

    Attributes:
        results: urns of what a report refers to.
        measured: urns of every Observation of a signal.
        hub: the hub that measured; None when nothing came from one.
    """

    def __init__(self, context: Context, reader: RecordReader, watch: Watch = unwatched) -> None:
        self._context = context
        self._reader = reader
        self._watch = watch
        self._whole, self._done = 1, 0
        self._catalogue: Catalogue = load_catalogue()
        self.results: list[str] = []
        self.measured: list[str] = []
        self.hub: Reference | None = None

    def entries(self) -> Entries:
        """Devices, metrics and observations."""
        context = self._context
        known = {channel.key: channel for channel in self._reader.channels()}
        spans = self._reader.spans(context.visit.id)
        self._whole = max(1, sum(span.samples for span in spans))
        for span in spans:
            channel = known[span.channel]
            blocks = self._reader.samples(None, channel.key, context.visit.began_us, context.end_us + 1)
            for samples in streams(blocks, context.visit.began_us, context.end_us + 1):
                yield from self._stream(channel, samples)

    def _went(self, samples: int) -> None:
        self._done += samples
        self._watch(self._done / self._whole)

    def _stream(self, channel: RecordedChannel, samples: Samples) -> Entries:
        spec = self._spec(channel)
        kind = _kind(spec, samples)
        if kind == "hub":
            self.hub = device(samples.source)
        yield self._device(samples.source, kind)
        name = self._name(channel)
        metric = urn("DeviceMetric", samples.source, channel.key)
        yield metric, self._metric(channel, name, samples.source)
        if spec is not None and spec.occasional:
            self._went(len(samples.raw))
            yield from self._values(channel, name, samples, metric)
        else:
            yield from self._series(channel, name, samples, metric)

    # series

    def _series(self, channel: RecordedChannel, name: Concept, samples: Samples, metric: str) -> Entries:
        found = runs(samples)
        members: list[str] = []
        if uneven(found):
            self._went(len(samples.raw))
        else:
            for number, run in enumerate(found):
                identity = self._identity(channel, samples, str(number))
                members.append(identity)
                self._went(len(run.slots))
                yield identity, self._run(channel, name, run, metric)
        summary = self._identity(channel, samples, "summary")
        self.results.append(summary)
        self.measured += [*members, summary]
        yield summary, self._summary(channel, name, samples, metric, members)

    def _run(self, channel: RecordedChannel, name: Concept, run: Run, metric: str) -> Observation:
        context = self._context
        columns = round(1_000_000 / run.period_us)
        reduced = context.detail is Detail.REDUCED and columns > REDUCED_ABOVE_HZ
        gaps = int(run.slots[-1]) + 1 > len(run.slots)
        said = [context.words.say("exchange.note.suspect")] if run.suspect else []
        said += [context.words.say("exchange.note.missing")] if gaps else []
        said += [context.words.say("exchange.note.reduced")] if reduced else []
        return Observation(
            status="preliminary" if run.suspect else "final",  # preliminary: may be unverified
            category=(PROCEDURE,),
            code=name,
            subject=context.subject,
            encounter=context.encounter,
            effective_period=Period(start=instant(int(run.utc_us[0])), end=instant(int(run.utc_us[-1]))),
            performer=context.organization,
            value_sampled_data=None if reduced else _data(channel, run.period_us, full_data(run)),
            method=Concept(text=context.words.say("exchange.method.reduced")) if reduced else None,
            component=tuple(_reduced(channel, run, columns)) if reduced else (),
            note=note(*said),
            device=refer(metric),
        )

    def _summary(
        self, channel: RecordedChannel, name: Concept, samples: Samples, metric: str, members: list[str]
    ) -> Observation:
        context = self._context
        counted = Counter(samples.provenance.tolist())
        words = {key: context.words.say(f"record.provenance.{key.name.lower()}") for key in Provenance}
        how = "; ".join(f"{n} {words[Provenance(key)]}" for key, n in sorted(counted.items()))
        values = samples.raw
        return Observation(
            status="final",
            category=(PROCEDURE,),
            code=name,
            subject=context.subject,
            encounter=context.encounter,
            effective_period=Period(start=instant(int(samples.utc_us.min())), end=instant(int(samples.utc_us.max()))),
            performer=context.organization,
            note=note(
                context.words.say("exchange.note.samples", how=how),
                "" if members else context.words.say("exchange.note.uneven"),
            ),
            device=refer(metric),
            has_member=tuple(refer(member) for member in members),
            component=(
                Component(code=MINIMUM, value_quantity=self._quantity(channel, Decimal(int(values.min())))),
                Component(code=AVERAGE, value_quantity=self._quantity(channel, Decimal(f"{values.mean():.2f}"))),
                Component(code=MAXIMUM, value_quantity=self._quantity(channel, Decimal(int(values.max())))),
                Component(code=COUNT, value_integer=len(values)),
            ),
        )

    # single measurements

    def _values(self, channel: RecordedChannel, name: Concept, samples: Samples, metric: str) -> Entries:
        codes = signal_codes(channel.key)
        vital = codes is not None and codes.vital is not None
        if codes is not None:
            name = Concept(coding=(*codes.vital_codings, *self._own(channel)), text=name.text)
        for number in range(min(len(samples.raw), MOST_VALUES)):
            identity = self._identity(channel, samples, str(number))
            self.results.append(identity)
            self.measured.append(identity)
            suspect = samples.provenance[number] == int(Provenance.SUSPECT)
            yield (
                identity,
                Observation(
                    status="preliminary" if suspect else "final",
                    category=(VITAL_SIGNS if vital else PROCEDURE,),
                    code=name,
                    subject=self._context.subject,
                    encounter=self._context.encounter,
                    effective_date_time=instant(int(samples.utc_us[number])),
                    performer=self._context.organization,
                    value_quantity=self._quantity(channel, Decimal(int(samples.raw[number]))),
                    note=note(self._context.words.say("exchange.note.suspect") if suspect else ""),
                    device=refer(metric),
                ),
            )

    # what measured

    def _device(self, source: str, kind: str) -> tuple[str, Device]:
        said = self._context.words.say(f"exchange.device.{kind}")
        if said.startswith("["):
            said = kind  # a plug-in's own kind
        own = self._context.own.coding(Own.DEVICE, kind, said)
        codes = device_codes(kind)
        return device(source).reference, Device(
            identifier=(Number.SERIAL.of(source),),
            device_name=(DeviceName(name=f"{said} {source}", type="user-friendly-name"),),
            type=Concept(coding=(*(codes.codings if codes is not None else ()), own), text=said),
            owner=next(iter(self._context.organization), None),
        )

    def _metric(self, channel: RecordedChannel, name: Concept, source: str) -> DeviceMetric:
        unit = Coding(system=UCUM, code=channel.unit, display=self._shown(channel))
        return DeviceMetric(
            type=name,
            unit=Concept(coding=(unit,), text=self._shown(channel)),
            source=device(source),
            category="measurement",
        )

    def _spec(self, channel: RecordedChannel) -> ChannelSpec | None:
        return self._catalogue.key(channel.key) if channel.key in self._catalogue else None

    def _shown(self, channel: RecordedChannel) -> str:
        spec = self._spec(channel)
        return (spec.display_unit if spec is not None else "") or channel.unit

    def _own(self, channel: RecordedChannel) -> tuple[Coding, ...]:
        said = self._context.words.say(f"channel.{channel.key}.name")
        return (self._context.own.coding(Own.CHANNEL, channel.key, channel.key if said.startswith("[") else said),)

    def _name(self, channel: RecordedChannel) -> Concept:
        """What a channel is called, standard codes first."""
        codes = signal_codes(channel.key)
        own = self._own(channel)
        return Concept(coding=(*(codes.codings if codes is not None else ()), *own), text=own[0].display)

    def _quantity(self, channel: RecordedChannel, raw: Decimal) -> Quantity:
        """A raw value as a physical one, exactly: both factors are decimal numbers."""
        value = raw * _decimal(channel.scale) + _decimal(channel.offset)
        return quantity(value, channel.unit, self._shown(channel))

    def _identity(self, channel: RecordedChannel, samples: Samples, which: str) -> str:
        stream = (self._context.visit.id, samples.source, str(samples.boot), channel.key)
        return urn("Observation", *stream, self._context.detail, which)


def _kind(spec: ChannelSpec | None, samples: Samples) -> str:
    """Of the device: what was recorded elsewhere never passes for the hub's."""
    if Provenance.IMPORTED in samples.provenance:
        return "elsewhere"
    return spec.source if spec is not None else "hub"


def _data(channel: RecordedChannel, period_us: Decimal, data: str) -> SampledData:
    return SampledData(
        origin=quantity(_decimal(channel.offset), channel.unit),
        period=_plain(period_us / 1000),
        factor=_decimal(channel.scale),
        dimensions=1,
        data=data,
    )


def _reduced(channel: RecordedChannel, run: Run, columns: int) -> Iterator[Component]:
    found = reduced_data(run, columns)
    period_us = run.period_us * found.slots
    for code, data in ((MINIMUM, found.low), (AVERAGE, found.mean), (MAXIMUM, found.high)):
        yield Component(code=code, value_sampled_data=_data(channel, period_us, data))


def _decimal(number: float) -> Decimal:
    return Decimal(repr(number))


def _plain(number: Decimal) -> Decimal:
    """Without an exponent and without needless zeros."""
    short = number.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short
