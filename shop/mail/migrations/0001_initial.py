import uuid

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="OutgoingEmail",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False)),
                (
                    "reference",
                    models.CharField(help_text="What it is about: an order.", max_length=64),
                ),
                ("kind", models.CharField(max_length=32)),
                ("to", models.EmailField(max_length=254)),
                ("subject", models.CharField(max_length=200)),
                ("text", models.TextField()),
                ("html", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("sending", "sending"),
                            ("sent", "sent"),
                            ("bounced", "bounced"),
                            ("unknown", "unknown"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="queued",
                        max_length=9,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("last_error", models.TextField(blank=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["status", "created_at"], name="email_by_status"),
                    models.Index(fields=["to"], name="email_by_recipient"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("reference", "kind"), name="one_email_per_reference_and_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "queued",
                                    "sending",
                                    "sent",
                                    "bounced",
                                    "unknown",
                                    "withdrawn",
                                ],
                            )
                        ),
                        name="email_status_is_known",
                    ),
                ],
            },
        ),
    ]
