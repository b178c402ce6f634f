

import django.db.models.deletion
import ratings.models.record
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ratings', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='score',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='score',
            name='change_reason',
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name='score',
            name='marks',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='score',
            name='protocol_version',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AlterField(
            model_name='score',
            name='value',
            field=ratings.models.record.ExactIntegerField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name='AccessEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('n', models.PositiveIntegerField(unique=True)),
                ('previous', models.CharField(max_length=64)),
                ('actor', models.CharField(max_length=150)),
                ('verb', models.CharField(max_length=40)),
                ('payload', models.JSONField(default=dict)),
                ('at', models.CharField(max_length=30)),
                ('hash', models.CharField(max_length=64)),
                ('study', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='accesses', to='ratings.study')),
            ],
            options={
                'ordering': ('n',),
            },
        ),
        migrations.CreateModel(
            name='ProtocolVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(default=1)),
                ('document', models.JSONField()),
                ('sha256', models.CharField(max_length=64)),
                ('reason', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='protocol_versions', to='ratings.study')),
            ],
            options={
                'ordering': ('number',),
                'constraints': [models.UniqueConstraint(fields=('study', 'number'), name='protocol_version_number'), models.CheckConstraint(condition=models.Q(('number', 1), models.Q(('number__gt', 1), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='protocol_amendment_has_reason')],
            },
        ),
        migrations.CreateModel(
            name='Signature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=300)),
                ('meaning', models.CharField(choices=[('session', 'I completed this session; my scores are final'), ('lock', 'I lock this protocol'), ('unblind', 'I open the key of this study'), ('amend', 'I amend this protocol'), ('witness', 'I agree that the key is opened before the end')], max_length=8)),
                ('digest', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('session', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='signature', to='ratings.session')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to='ratings.study')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('meaning', 'session'), ('session__isnull', False)), models.Q(models.Q(('meaning', 'session'), _negated=True), ('session__isnull', True)), _connector='OR'), name='signature_of_session')],
            },
        ),
        migrations.CreateModel(
            name='Unblinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.TextField()),
                ('early', models.BooleanField(default=False)),
                ('missing', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('study', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='unblinding', to='ratings.study')),
                ('witness', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='unblinding_has_reason'), models.CheckConstraint(condition=models.Q(('early', False), models.Q(('witness__isnull', False), models.Q(('witness', models.F('by')), _negated=True)), _connector='OR'), name='early_unblinding_has_witness')],
            },
        ),
        migrations.CreateModel(
            name='Withdrawal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.TextField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('case', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='withdrawal', to='ratings.case')),
                ('enrolment', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='withdrawal', to='ratings.enrolment')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='withdrawals', to='ratings.study')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('case__isnull', False), ('enrolment__isnull', True)), models.Q(('case__isnull', True), ('enrolment__isnull', False)), _connector='OR'), name='withdrawal_of_one'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='withdrawal_has_reason')],
            },
        ),
    ]
