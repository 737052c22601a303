"""manage.py init_search: the search index, made anew beside the one that is searched."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.utils import timezone
from elasticsearch import ApiError, TransportError

from apps.catalog.search.indexing import comparing, indexes, rebuilding
from apps.catalog.search.indexing.writing import EngineAway, TooSlow
from apps.catalog.search.models import UNINDEXED_AFTER, DirtyProduct, SearchIndex
from apps.catalog.search.vocabulary import refresh_vocabulary
from shop.clock import database_time
from shop.display import Display, Steps

_DIFFERENT, _COULD_NOT_RUN, _INTERRUPTED = 1, 2, 130


class Command(BaseCommand):
    help = (
        "Makes the index of the search engine anew, while the shop searches the old one, and "
        "counts the words that PostgreSQL searches by. Killed anywhere, it is simply started "
        "again. Without a search engine only the words are counted. Ends with 0 if all is "
        "well, 1 if --verify finds a difference or changes that wait for long, 2 if it could "
        "not be done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--if-changed",
            action="store_true",
            help="only if the mapping has changed or there is none; else mend what differs",
        )
        what.add_argument(
            "--verify",
            action="store_true",
            help="compare the live index with the database, both ways, and change nothing",
        )
        what.add_argument(
            "--rollback",
            action="store_true",
            help="search the index before the live one again, which is kept for "
            f"{indexes.KEPT.total_seconds() / 3600:.0f} hours",
        )
        what.add_argument(
            "--prune", action="store_true", help="drop the indexes that were kept long enough"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        display = Display(self.stdout, self.stderr)
        chosen = next((name for name in _WITH_ENGINE if options[name]), "")
        try:
            if not settings.SEARCH_URL:
                self._without_engine(display, chosen)
            elif chosen:
                _WITH_ENGINE[chosen](display)
            else:
                _build(display, if_changed=options["if_changed"])
        except (rebuilding.CannotRebuild, rebuilding.AlreadyRunning) as error:
            raise CommandError(str(error), returncode=_COULD_NOT_RUN) from error
        except indexes.Misconfigured as error:
            raise CommandError(str(error), returncode=_COULD_NOT_RUN) from error
        except (EngineAway, TooSlow, ApiError, TransportError) as error:
            text = f"The search engine: {str(error).splitlines()[0]}"
            raise CommandError(text, returncode=_COULD_NOT_RUN) from error
        except DatabaseError as error:
            text = f"The database: {str(error).splitlines()[0]}"
            raise CommandError(text, returncode=_COULD_NOT_RUN) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. The next run begins anew.", returncode=_INTERRUPTED
            ) from None

    def _without_engine(self, display: Display, chosen: str) -> None:
        display.say("There is no search engine (SEARCH_URL is empty): PostgreSQL searches.")
        if chosen == "rollback":
            raise CommandError("Nothing to go back to.", returncode=_COULD_NOT_RUN)
        if not chosen:
            _count_words(display)


def _build(display: Display, *, if_changed: bool) -> None:
    started = timezone.now()
    with display.progress() as steps:
        rebuilt = rebuilding.rebuild(
            clock=timezone.now, show=_shown_by(steps), if_changed=if_changed
        )
    seconds = (timezone.now() - started).total_seconds()
    if rebuilt.is_new:
        display.table(
            {
                "index": rebuilt.index.name,
                "products": str(rebuilt.documents),
                "changed meanwhile": str(rebuilt.caught_up),
                "seconds": f"{seconds:.1f}",
                "products a second": f"{rebuilt.documents / max(seconds, 0.001):.0f}",
            }
        )
    else:
        display.say(f"{rebuilt.index.name} has the mapping that it should have.")
        display.say(f"Products that differed and will be written anew: {rebuilt.caught_up}.")
    _count_words(display)


def _verify(display: Display) -> None:
    live = _searched_index()
    with display.progress() as steps:
        found = comparing.settled(
            live.name,
            with_content=True,
            progress=lambda done, of: steps.show("documents compared", done=done, total=of),
            patience=2,
        )
    display.table(
        {
            "index": live.name,
            "products": str(found.products),
            "of them on sale": str(found.on_sale),
            "missing, old or otherwise": str(len(found.wrong)),
            "in the index and no more in the shop": str(len(found.too_many)),
            "waiting to be written": str(DirtyProduct.objects.count()),
        }
    )
    if found.different:
        some = ", ".join(map(str, [*found.wrong, *found.too_many][:5]))
        raise CommandError(f"Products that differ: {some}.", returncode=_DIFFERENT)
    _refuse_what_is_late()


def _searched_index() -> SearchIndex:
    live, searched = indexes.live_index(), indexes.searched()
    if live is None:
        raise CommandError("There is no index yet: run init_search.", returncode=_DIFFERENT)
    if searched != [live.name]:
        raise CommandError(
            f"The live index is {live.name}, but the one that is searched is "
            f"{', '.join(searched) or 'none'}: init_search --if-changed mends it.",
            returncode=_DIFFERENT,
        )
    return live


def _refuse_what_is_late() -> None:
    """What waits is in no comparison, since it is just being written; unless nobody does."""
    late = DirtyProduct.objects.filter(dirty_since__lt=database_time() - UNINDEXED_AFTER)
    if number := late.count():
        minutes = UNINDEXED_AFTER.seconds // 60
        raise CommandError(
            f"Products whose changes wait for more than {minutes} minutes: {number}.",
            returncode=_DIFFERENT,
        )


def _roll_back(display: Display) -> None:
    index = rebuilding.roll_back(now=timezone.now())
    display.say(f"{index.name} is searched again.")
    if index.mapping_hash != indexes.mapping_hash():
        display.complain(
            "Its mapping is not that of this release, and it may refuse what is new: changes "
            "wait until the release that made it runs again, or init_search has made another."
        )


def _prune(display: Display) -> None:
    display.say(f"Indexes dropped: {rebuilding.prune(now=timezone.now())}.")


_WITH_ENGINE: dict[str, Callable[[Display], None]] = {
    "verify": _verify,
    "rollback": _roll_back,
    "prune": _prune,
}


def _count_words(display: Display) -> None:
    display.say(f"Words counted for PostgreSQL: {refresh_vocabulary()} have changed.")


def _shown_by(steps: Steps) -> rebuilding.Show:
    return lambda step, done, of: steps.show(step, done=done, total=of)
