from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("task_id", models.CharField(max_length=64)),
                (
                    "task",
                    models.CharField(
                        help_text="The task, or the outbox topic.", max_length=128
                    ),
                ),
                ("queue", models.CharField(blank=True, max_length=64)),
                ("arguments", models.JSONField(default=dict)),
                (
                    "chain",
                    models.JSONField(
                        default=list, help_text="The steps that would have followed."
                    ),
                ),
                ("order_id", models.BigIntegerField(blank=True, null=True)),
                ("reason", models.CharField(max_length=200)),
                (
                    "error",
                    models.TextField(blank=True, help_text="The last lines of the traceback."),
                ),
                ("attempts", models.PositiveIntegerField(default=1)),
                (
                    "times",
                    models.PositiveIntegerField(default=1, help_text="How often it gave up."),
                ),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("resolved_at", None)),
                        fields=["-last_at"],
                        name="dead_letter_open",
                    ),
                    models.Index(fields=["order_id"], name="dead_letter_by_order"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("task_id",), name="one_dead_letter_per_task_id"
                    )
                ],
            },
        ),
    ]
