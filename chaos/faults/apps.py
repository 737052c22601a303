from django.apps import AppConfig


class FaultsConfig(AppConfig):
    name = "chaos.faults"

    def ready(self) -> None:
        # Here and not above: these modules hold models, which must be loaded first.
        from chaos.faults.points import install

        install()
